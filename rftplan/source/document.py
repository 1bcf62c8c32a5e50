"""One YAML text as values with places, and the nodes that it is built from. Does not read or parse anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from msgspec import Struct

from rftplan.canonical import Json
from rftplan.errors import Place
from rftplan.source.scalars import Scalar

PathKey: TypeAlias = tuple[str | int, ...]
"""Where a value is inside its document: keys and list indices from the top, () for the whole."""


class Document(Struct, frozen=True):
    """One YAML or JSON text: plain dicts, lists and scalars, and where each of them was written.

    `places` has every value, `key_places` every mapping key under the path of its value. What an alias stands for
    has the alias's place; the values inside it have their own. An empty text is None.
    """

    path: str
    data: Json
    places: Mapping[PathKey, Place]
    key_places: Mapping[PathKey, Place]

    def place(self, path: PathKey) -> Place:
        """The place of the value at `path`, or of the nearest one around it."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, Place(self.path))


class Node(Struct, frozen=True):
    """A value before aliases are written out: nodes may be shared.

    `size` counts the values and keys written out; `height` is 1 for a scalar.
    """

    value: Scalar | list[Node] | dict[str, Node]
    place: Place
    size: int = 1
    height: int = 1
    key_places: Mapping[str, Place] | None = None

    @classmethod
    def of_list(cls, items: list[Node], place: Place) -> Node:
        size = 1 + sum(item.size for item in items)
        return cls(items, place, size, 1 + max((item.height for item in items), default=0))

    @classmethod
    def of_dict(cls, values: dict[str, Node], place: Place, key_places: Mapping[str, Place]) -> Node:
        size = 1 + len(values) + sum(value.size for value in values.values())
        return cls(values, place, size, 1 + max((value.height for value in values.values()), default=0), key_places)


def written_out(top: Node, path: str) -> Document:
    """The document of these nodes; nothing in its data is shared."""
    places: dict[PathKey, Place] = {}
    key_places: dict[PathKey, Place] = {}

    def build(node: Node, here: PathKey) -> Json:
        places[here] = node.place
        if isinstance(node.value, dict):
            key_places.update({(*here, key): place for key, place in (node.key_places or {}).items()})
            return {key: build(value, (*here, key)) for key, value in node.value.items()}
        if isinstance(node.value, list):
            return [build(item, (*here, index)) for index, item in enumerate(node.value)]
        return node.value

    return Document(path, build(top, ()), places, key_places)
