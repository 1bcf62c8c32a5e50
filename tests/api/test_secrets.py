"""A key is taken out of a text in every form in which a service may write it back; a short word is left in replies."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from rftplan.api.secrets import MARK, reply_without_keys, without_keys

KEYS = st.text(alphabet=st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=16, max_size=60)
AROUND = st.text(alphabet="abc xyz:/", max_size=7)


@given(KEYS, AROUND, AROUND)
def test_no_form_of_a_key_is_left(key: str, before: str, after: str) -> None:
    raw = f"{before}{key}{after}".encode()
    text = f"{key} {quote(key, safe='')} {key.encode().hex()} {json.dumps(key)} {base64.b64encode(raw).decode()}"
    said = without_keys(text, [key])
    assert key not in said and key.encode().hex() not in said
    middle = base64.b64encode(b"\0" * (len(before) % 3) + key.encode()).decode()[4:-4]
    assert middle not in said
    assert reply_without_keys(text.encode(), [key]).decode() == said


def test_a_short_key_is_a_word_that_replies_may_have() -> None:
    assert reply_without_keys(b'{"model": "ft:o4:local::a"}', ["local"]) == b'{"model": "ft:o4:local::a"}'
    assert without_keys("wrong key local", ["local"]) == f"wrong key {MARK}"
