"""What the cases of this folder share."""

import pathlib

from chimera.common import SearchAttributeKey

BUILD = pathlib.Path(__file__).resolve().parents[3] / "build/release"
CITY = SearchAttributeKey.for_keyword("City")
ORDERS = SearchAttributeKey.for_int("Orders")
