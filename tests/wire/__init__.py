"""The product over the wire: real git, a real process or its own functions, an emulated AWS."""
