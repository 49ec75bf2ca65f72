"""Python steps, which stand in one pipeline with those of samples/cpp/pipeline."""

from chimera import activity

STOP_WORDS = {"english": {"a", "an", "and", "of", "on", "the"}}


@activity.defn
async def without_stop_words(text: str, settings: dict[str, str]) -> str:
    stop_words = STOP_WORDS[settings["language"]]
    return " ".join(word for word in text.split() if word not in stop_words)


@activity.defn
async def letters(words: list[str]) -> dict[str, int]:
    return {word: len(word) for word in words}


@activity.defn
async def describe(facts: tuple[int, str, dict[str, int]]) -> str:
    count, longest, letters = facts
    return f"{count} words that matter, with {sum(letters.values())} letters, {letters[longest]} of them in {longest}"
