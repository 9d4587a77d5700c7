"""Route 53 zones and record sets."""
