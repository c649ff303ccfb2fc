"""Files that people own: read as they are, replaced in one step, and only if nobody changed them meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from generator.errors import UsageError
from generator.project.texts import read_exactly, replace_exactly

TEXT = "\ufeffselect 1\r\n-- é\n"


def test_every_byte_the_mode_and_a_link_stay(tmp_path: Path) -> None:
    path, link = tmp_path / "a.sql", tmp_path / "b.sql"
    path.write_bytes(TEXT.encode())
    path.chmod(0o640)
    link.symlink_to(path)
    replace_exactly(link, read_exactly(link), TEXT + "x")
    assert path.read_bytes() == (TEXT + "x").encode()
    assert (link.is_symlink(), path.stat().st_mode & 0o777) == (True, 0o640)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.sql", "b.sql"]


def test_a_third_text_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.sql"
    path.write_text("theirs", encoding="utf-8")
    with pytest.raises(UsageError, match=r"a\.sql: was changed meanwhile, and is left as it is now"):
        replace_exactly(path, "mine", "mine, too")
    assert path.read_text(encoding="utf-8") == "theirs"


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "a.sql"
    path.write_text("a", encoding="utf-8")
    with pytest.raises(UnicodeEncodeError):
        replace_exactly(path, "a", "\ud800")
    assert [p.name for p in tmp_path.iterdir()] == ["a.sql"]


def test_a_file_that_is_not_utf8_is_named_with_the_byte(tmp_path: Path) -> None:
    path = tmp_path / "a.yml"
    path.write_bytes("é".encode("latin-1") + b"a")
    with pytest.raises(UsageError, match=r"a\.yml: byte 1 is not UTF-8"):
        read_exactly(path)
