"""Composite tensors: several tensors that stand for one value."""


class CompositeTensor:
    """A value that consists of tensors.

    Attributes:
      components: those tensors, in order.
    """

    __slots__ = ()

    components = ()

    def with_components(self, tensors):
        """The same kind of value, of other tensors."""
        raise NotImplementedError

    def value_of(self, arrays):
        """What a session gives for it, of its components' values."""
        raise NotImplementedError

    def gradient_source(self):
        """The tensor that is differentiated in its place.

        Raises:
          ValueError: when it cannot be an x or y of `tf.gradients`.
        """
        raise ValueError(
            f"Type {type(self).__name__} is not supported as a gradient source or gradient target."
        )

    def with_gradient(self, grad):
        """The gradient with respect to it, of that of its source; None for None."""
        raise NotImplementedError
