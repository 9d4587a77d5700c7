"""What a revision's own balancer answers to an HTTP request, asked while a rollout wants to know."""
