from __future__ import annotations

from tests.models.catalog_table import PAGE, with_table


def test_the_page_lists_the_models_of_the_catalog() -> None:
    page = PAGE.read_text()
    assert page == with_table(page), "run `python -m tests.models.catalog_table`"
