"""samples/python/nexus: a shop and a bank in two namespaces."""

import pytest
from live_support import sample

payments = sample("python/nexus/nexus.py")


async def test_a_shop_and_a_bank_in_two_namespaces(capsys: pytest.CaptureFixture[str]) -> None:
    await payments.demonstrate()
    assert capsys.readouterr().out.splitlines() == [
        "paid: receipt 0",
        "not paid: no account of nobody",
        "refused: too much",
    ]
