"""detloss: what the loss of an object detector will do with your labels, and why."""

__version__ = "0.1.0"
