"""What a Python grader wants of the place where it runs."""

from __future__ import annotations

import pytest

from rftplan.grading.python_image import PACKAGES, is_there
from tests.checks.graded import Graded, python

REST = "\ndef grade(sample, item):\n    return len(item) / 9\n"

FIRES: list[tuple[str, str, str]] = [
    ("G152", "import torch", "line 1 of the source: torch is neither in the service's image nor in"),
    ("G152", "from transformers.models import auto", "transformers is neither"),
    ("G152", "import mypackage.scores as s", "mypackage is neither"),
    ("G153", "import socket", "socket needs the network, and there is none"),
    ("G153", "import urllib.request", "urllib.request needs the network"),
    ("G153", "from urllib import parse, request", "urllib.request needs the network"),
    ("G152", "import requests", "requests is neither in the service's image nor in"),
    ("G152", "import urllib3", "urllib3 is neither"),
    ("G159", "import os\nKEY = os.environ['KEY']", "line 2 of the source: os.environ: the place where it runs"),
    ("G159", "import os\nKEY = os.getenv('KEY')", "os.getenv: the place"),
    ("G159", "WORDS = open('words.txt').read()", "open(…) reads a file"),
    ("G159", "WORDS = open('words.txt', mode='rb').read()", "open(…) reads a file"),
    ("G159", "import pathlib\nWORDS = pathlib.Path('words.txt').read_text()", "read_text(…) reads a file"),
    ("G159", "import pandas as pd\nTABLE = pd.read_csv('table.csv')", "read_csv(…) reads a file"),
]


@pytest.mark.parametrize(("code", "source", "says"), FIRES)
def test_what_is_not_there_is_found(graded: Graded, code: str, source: str, says: str) -> None:
    assert graded.codes(python(source + REST)) == [code]
    assert says in graded.detail()


@pytest.mark.parametrize(
    "source",
    [
        "\n".join(f"import {module}" for module in PACKAGES),
        "import sklearn.metrics\nfrom rouge_score import rouge_scorer\nfrom yaml import safe_load",
        "import urllib.parse\nfrom urllib.parse import urlparse\nimport os\nJOINED = os.path.join('a', 'b')",
        "try:\n    import torch\nexcept ImportError:\n    torch = None",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch",
        "import io, pandas as pd\ndef table(text):\n    return pd.read_csv(io.StringIO(text))",
        "def keep(text):\n    with open('/tmp/x', 'w') as file:\n        file.write(text)",
        "from __future__ import annotations",
    ],
)
def test_what_is_there_is_no_finding(graded: Graded, source: str) -> None:
    assert graded.codes(python(source + REST)) == []


def test_of_another_image_nothing_is_known(graded: Graded) -> None:
    assert graded.codes(python("import torch" + REST, image_tag="2027-01-01")) == []
    assert graded.codes(python("import torch" + REST, image_tag="2025-05-08")) == ["G152"]


def test_the_image_has_its_packages_and_the_standard_library() -> None:
    assert all(map(is_there, [*PACKAGES, "json", "xml.etree.ElementTree", "joblib"]))
    assert not any(map(is_there, ["torch", "openai", "requests", "rftplan", "scikit-learn"]))
