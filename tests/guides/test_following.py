"""How guides are followed: a guide that lies is found out."""

from __future__ import annotations

import pytest

GUIDE = """\
<!-- file: notes/one.txt -->
```text
first
second
```

```console
$ cat notes/one.txt
first
second
$ false
$ echo $?
1
```

```python
print("only shown")
```
"""


def test_files_are_written_and_commands_are_run_in_one_shell(following, environment, tmp_path):
    done = following.followed(GUIDE, tmp_path, environment)

    assert [command.line for command, _ in done] == ["cat notes/one.txt", "false", "echo $?"]
    assert [following.unlike(command.expected, printed) for command, printed in done] == [""] * 3


@pytest.mark.parametrize(
    "expected, printed",
    [
        ("agree\n", "differ\n"),
        ("agree\n", "agree\nand more\n"),
        ("agree\nand more\n", "agree\n"),
        ("", "something\n"),
        ("time ... s\n", "time 3 min\n"),
        ("...\nlast\n", "first\nnext\n"),
    ],
)
def test_what_is_printed_otherwise_is_told(following, expected, printed):
    assert following.unlike(expected, printed)


@pytest.mark.parametrize(
    "expected, printed",
    [
        ("time ... s\n", "time 3.1 s\n"),
        ("first\n...\nlast\n", "first\n2\n3\nlast\n"),
        ("first\n...\nlast\n", "first\nlast\n"),
        ("no newline at its end\n", "no newline at its end"),
    ],
)
def test_dots_stand_for_what_changes(following, expected, printed):
    assert not following.unlike(expected, printed)
