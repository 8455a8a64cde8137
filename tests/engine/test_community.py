"""What is in memory of a community stays bounded, however long it is open."""

from engine.community import FOLDS_KEPT, Community


def test_headers_of_gifts_are_forgotten_in_their_order_as_the_store_knows_them() -> None:
    community = Community("home")
    for number in range(FOLDS_KEPT + 10):
        community.remember(f"gift:{number}")
    assert len(community.folded) == FOLDS_KEPT
    assert "gift:9" not in community.folded
    assert f"gift:{FOLDS_KEPT + 9}" in community.folded
