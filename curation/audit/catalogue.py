"""Every defect that can be planted, by its name."""

from collections.abc import Mapping
from dataclasses import dataclass

from curation.audit.host import Mutator
from curation.audit.mutators import (
    characters,
    contents,
    duplicates,
    endings,
    harmless,
    leaks,
    lengths,
    parts,
    references,
    refusals,
    sums,
)
from curation.dedupe.reasons import EXACT, NEAR


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect:
    """A way in which a record can be defective, and who ought to notice."""

    plant: Mutator
    """Makes the record defective; the first line of its docstring says how."""
    expects: tuple[str, ...] = ()
    """The codes that are right for it; none: no rule looks for it, and what catches it does so by another sign."""
    beside: bool = False
    """It is a second record beside its host, not a change of it."""
    harmless: bool = False
    """It is no defect: it must be kept."""

    @property
    def family(self) -> str:
        """The file its mutator stands in."""
        return self.plant.__module__.rpartition(".")[2]

    @property
    def words(self) -> str:
        """What is wrong with the record, in plain words."""
        return (self.plant.__doc__ or "").strip().splitlines()[0]


ENDINGS = ("response_truncated", "response_unfinished")
SAME, ALIKE = (EXACT, NEAR), (NEAR, EXACT)

DEFECTS: Mapping[str, Defect] = {
    "empty_response": Defect(plant=parts.empty_response, expects=("response_empty",)),
    "stand_in": Defect(plant=parts.stand_in, expects=("response_placeholder",)),
    "echoed_instruction": Defect(plant=parts.echoed_instruction, expects=("response_echoes",)),
    "echoed_context": Defect(plant=parts.echoed_context, expects=("response_copies_context",)),
    "no_input_typed": Defect(plant=parts.no_input_typed, expects=("no_input_marker",)),
    "end_mark_left": Defect(plant=leaks.end_mark_left, expects=("end_marker",)),
    "next_task_merged": Defect(plant=leaks.next_task_merged, expects=("merged_tasks",)),
    "next_turn_leaked": Defect(plant=leaks.next_turn_leaked, expects=("template_leak",)),
    "template_leaked": Defect(plant=leaks.template_leaked, expects=("template_leak",)),
    "thoughts_leaked": Defect(plant=leaks.thoughts_leaked, expects=("template_leak",)),
    "refused": Defect(plant=refusals.refused, expects=("response_is_refusal",)),
    "named_its_maker": Defect(plant=refusals.named_its_maker, expects=("provider_identity",)),
    "named_its_cutoff": Defect(plant=refusals.named_its_cutoff, expects=("provider_identity",)),
    "context_lost": Defect(plant=references.context_lost, expects=("dangling_reference",)),
    "link_for_context": Defect(plant=references.link_for_context, expects=("url_not_given",)),
    "link_to_read": Defect(plant=references.link_to_read, expects=("url_not_given",)),
    "attachment_missing": Defect(plant=references.attachment_missing, expects=("url_not_given", "dangling_reference")),
    "picture_to_make": Defect(plant=references.picture_to_make, expects=("needs_media",)),
    "picture_to_see": Defect(plant=references.picture_to_see, expects=("needs_media", "dangling_reference")),
    "act_claimed": Defect(plant=references.act_claimed, expects=("needs_action",)),
    "cut_after_a_word": Defect(plant=endings.cut_after_a_word, expects=ENDINGS),
    "cut_after_a_small_word": Defect(plant=endings.cut_after_a_small_word, expects=ENDINGS),
    "cut_within_a_word": Defect(plant=endings.cut_within_a_word, expects=ENDINGS),
    "cut_at_a_year": Defect(plant=endings.cut_at_a_year, expects=ENDINGS),
    "cut_at_an_amount": Defect(plant=endings.cut_at_an_amount, expects=ENDINGS),
    "sentence_looped": Defect(plant=lengths.sentence_looped, expects=("response_repeats",)),
    "phrase_looped": Defect(plant=lengths.phrase_looped, expects=("response_repeats",)),
    "one_word_asked": Defect(plant=lengths.one_word_asked, expects=("instruction_too_short",)),
    "cut_to_a_word": Defect(plant=lengths.cut_to_a_word, expects=("response_length_unusual",)),
    "document_asked": Defect(plant=lengths.document_asked, expects=("instruction_too_long",)),
    "never_ended": Defect(plant=lengths.never_ended, expects=("response_too_long",)),
    "decoded_wrongly": Defect(plant=characters.decoded_wrongly, expects=("mojibake", "broken_characters")),
    "letters_lost": Defect(plant=characters.letters_lost, expects=("broken_characters",)),
    "control_characters": Defect(plant=characters.control_characters, expects=("broken_characters",)),
    "only_signs": Defect(plant=characters.only_signs, expects=("mostly_signs",)),
    "foreign_pair": Defect(plant=characters.foreign_pair, expects=("wrong_language",)),
    "foreign_answer": Defect(plant=characters.foreign_answer, expects=("wrong_language",)),
    "wrong_sum": Defect(plant=sums.wrong_sum, expects=("equation_wrong", "answer_miscalculated")),
    "wrong_result": Defect(plant=sums.wrong_result, expects=("answer_miscalculated",)),
    "wrong_step": Defect(plant=sums.wrong_step, expects=("equation_wrong",)),
    "swapped_response": Defect(plant=contents.swapped_response),
    "broken_code": Defect(plant=contents.broken_code, expects=("code_does_not_parse",)),
    "contact_left": Defect(plant=contents.contact_left, expects=("personal_data",)),
    "card_left": Defect(plant=contents.card_left, expects=("personal_data",)),
    "account_left": Defect(plant=contents.account_left, expects=("personal_data",)),
    "secret_left": Defect(plant=contents.secret_left, expects=("secret_leaked",)),
    "insulted": Defect(plant=contents.insulted, expects=("toxic_words",)),
    "copied": Defect(plant=duplicates.copied, expects=SAME, beside=True),
    "recased": Defect(plant=duplicates.recased, expects=SAME, beside=True),
    "rewrapped": Defect(plant=duplicates.rewrapped, expects=SAME, beside=True),
    "mistyped": Defect(plant=duplicates.mistyped, expects=ALIKE, beside=True),
    "with_synonyms": Defect(plant=duplicates.with_synonyms, expects=ALIKE, beside=True),
    "reordered": Defect(plant=duplicates.reordered, expects=ALIKE, beside=True),
    "asked_politely": Defect(plant=duplicates.asked_politely, expects=ALIKE, beside=True),
    "paraphrased": Defect(plant=duplicates.paraphrased, expects=ALIKE, beside=True),
    "other_number": Defect(plant=harmless.other_number, beside=True, harmless=True),
    "other_name": Defect(plant=harmless.other_name, beside=True, harmless=True),
    "opposite": Defect(plant=harmless.opposite, beside=True, harmless=True),
    "lines_broken": Defect(plant=harmless.lines_broken, harmless=True),
    "made_a_list": Defect(plant=harmless.made_a_list, harmless=True),
    "signed": Defect(plant=harmless.signed, harmless=True),
}
"""Name → defect; to add one is to write its mutator and its line here."""

UNPLANTED: Mapping[str, str] = {}
"""Check → why no defect here plants what it looks for."""
