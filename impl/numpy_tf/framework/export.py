"""Which names the public `tf` namespace has, said beside each definition."""

EXPORTS = {}  # dotted public name -> object


def export(*names):
    """Decorator: makes an object public as `tf.<name>` for each dotted name."""

    def register(item):
        return export_as(item, *names)

    return register


def export_as(item, *names):
    """Makes `item` public as `tf.<name>` for each dotted name, and returns it."""
    for name in names:
        if name in EXPORTS:
            raise ValueError(f"tf.{name} is exported twice")
        EXPORTS[name] = item
    return item
