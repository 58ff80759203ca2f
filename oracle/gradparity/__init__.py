"""gradparity: does an implementation compute gradients exactly as TensorFlow does?"""

__version__ = "0.1.0"
