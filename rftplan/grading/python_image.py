"""What a Python grader finds where the service runs it: the image `2025-05-08`. Data only; imports none of it.

Which version of Python the image has is not established: the standard library is taken to be the one that runs here.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Final

TAGS: Final = ("2025-05-08",)
"""The images that are documented; of another nothing is known."""

PACKAGES: Final[Mapping[str, str]] = {
    "numpy": "numpy",
    "scipy": "scipy",
    "sympy": "sympy",
    "pandas": "pandas",
    "rapidfuzz": "rapidfuzz",
    "sklearn": "scikit-learn",
    "rouge_score": "rouge-score",
    "deepdiff": "deepdiff",
    "jsonschema": "jsonschema",
    "pydantic": "pydantic",
    "yaml": "pyyaml",
    "nltk": "nltk",
    "sqlparse": "sqlparse",
    "rdkit": "rdkit",
    "skbio": "scikit-bio",
    "ast_grep_py": "ast-grep-py",
}
"""The packages by the name that is imported."""

BROUGHT_ALONG: Final = frozenset({
    "absl", "annotated_types", "attr", "attrs", "biom", "click", "dateutil", "decorator", "h5py", "joblib",
    "jsonschema_specifications", "mpmath", "natsort", "orderly_set", "patsy", "PIL", "pydantic_core", "pytz",
    "referencing", "regex", "rpds", "six", "statsmodels", "threadpoolctl", "tqdm", "typing_extensions",
    "tzdata", "array_api_compat", "certifi", "charset_normalizer", "idna", "packaging", "setuptools",
    "pkg_resources", "pip", "hdmedians",
})  # fmt: skip
"""What these packages need themselves: nobody promised it, and it is probably there.

Nothing that is for the network: were it there, each call of it would fail."""


def is_there(module: str) -> bool:
    """Whether an import of this module can work there, as far as is known."""
    top = module.partition(".")[0]
    return top in PACKAGES or top in BROUGHT_ALONG or top in sys.stdlib_module_names
