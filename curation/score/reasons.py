"""Why a score is null, in plain words."""

from curation.score.file import MISSING

EMPTY = "response_without_tokens"
TOO_LONG = "too_long_for_the_model"
NOT_FINITE = "loss_not_finite"
NO_LOSS = "loss_alone_is_zero"
NO_WORDS = "response_without_words"
NOT_ENGLISH = "not_in_latin_letters"
UNREADABLE = "judge_unreadable"
CONTRADICTS = "judge_contradicts_itself"
NOT_ASKED = "judge_not_asked"

SCORE_REASONS = {
    EMPTY: "The response has no tokens, so that there is nothing to predict.",
    TOO_LONG: "Prompt and response are longer than the model can read; nothing is cut.",
    NOT_FINITE: "The model's loss is not a number, or too large for one.",
    NO_LOSS: "The model is certain of the response without its prompt: there is no ratio.",
    NO_WORDS: "The response has no words.",
    NOT_ENGLISH: "The formula counts Latin letters, and the response has mostly others.",
    UNREADABLE: "The judge gave no answer that can be read, though it was asked again.",
    CONTRADICTS: "The judge preferred each of the two once, depending on which came first.",
    NOT_ASKED: "The judge was not asked.",
    MISSING: "Nobody scored the record, or nobody said why there is no score.",
}
"""Every reason of a null that a scorer gives."""
