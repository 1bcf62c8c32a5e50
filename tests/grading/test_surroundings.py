"""What a grader's process may read of this system: the interpreter and its packages, nothing of anybody's."""

from __future__ import annotations

import json
from pathlib import Path

import rftplan
from rftplan.grading.surroundings import interpreter, module_path, readable


def test_the_interpreter_its_library_and_packages_are_readable() -> None:
    shown = readable()
    for needed in (interpreter(), json.__file__, *module_path(with_library=True)):
        path = str(Path(needed).resolve())
        assert any(path == place or path.startswith(f"{place}/") for place in shown), path


def test_no_folder_of_a_project_a_user_or_the_system_itself_is() -> None:
    project = Path(rftplan.__file__).parent.parent
    for place in map(Path, readable()):
        assert place.is_absolute()
        assert project != place and place not in project.parents
        assert place not in (Path.home(), *Path.home().parents, Path("/etc"), Path("/var"), Path("/usr"))


def test_no_place_is_shown_twice() -> None:
    shown = [path for path in readable() if not Path(path).is_symlink()]
    assert not [path for path in shown for other in shown if path.startswith(f"{other}/")]
