"""Device names: what they say, and how an inner one is merged into an outer one.

Everything runs in one place here; names are kept because programs can read them.
"""

import re

_PARTS = re.compile(
    r"^(?:/job:(?P<job>[a-zA-Z0-9_]+))?(?:/replica:(?P<replica>\d+|\*))?(?:/task:(?P<task>\d+|\*))?"
    r"(?:/(?:device:)?(?P<type>[a-zA-Z]\w*):(?P<index>\d+|\*))?$"
)


def merged_device(outer, inner):
    """The name of the device `inner` where `outer` was asked for before, as TensorFlow spells it.

    Args:
      outer: a name that this function gave, or "".
      inner: a name such as "/cpu:0" or "/job:worker/task:1"; None forgets the outer one.

    Raises:
      ValueError: for a name that is none.
    """
    if inner is None:
        return ""
    if not inner:
        return outer
    match = _PARTS.match(inner if inner.startswith("/") else f"/{inner}")
    if match is None:
        raise ValueError(f"Unknown attribute: '{inner.lstrip('/')}' is parsed as no device")
    said = {part: value for part, value in match.groupdict().items() if value is not None}
    parts = {part: v for part, v in _PARTS.match(outer).groupdict().items() if v is not None}
    parts.update(said)
    if "type" in parts and parts["type"].lower() in ("cpu", "gpu"):
        parts["type"] = parts["type"].upper()
    place = "".join(
        f"/{part}:{parts[part]}" for part in ("job", "replica", "task") if part in parts
    )
    return place + (f"/device:{parts['type']}:{parts['index']}" if "type" in parts else "")
