"""Characters that nobody wrote, and languages that nobody asked for."""

import re
from dataclasses import replace

from curation.audit.host import Host, answering
from schemas.record import InstructionRecord

_LOST = re.compile(r"['\"\u2019\u201c\u201d\u2013\u2014]|[^\x00-\x7f]")
_PLAIN_APOSTROPHE = re.compile(r"(?<=\w)'(?=\w)")
_PLAIN_QUOTE = re.compile(r"\"([^\"\n]+)\"")
CONTROLS = "\x00\x01\x02\x03\x07\x08\x0e\x10\x1b\x1f\x7f"
SIGNS = "#$%&*+/<=>?@[]^_{|}~!;:-. "
FOREIGN = (
    (
        "¿Cuál es la capital de Francia y por qué es famosa?",
        "La capital de Francia es París, una ciudad famosa por la Torre Eiffel, sus museos y su cocina.",
    ),
    (
        "Erkläre, warum der Himmel blau ist.",
        (
            "Der Himmel ist blau, weil die Luft kurzwelliges Licht stärker streut als langwelliges. Deshalb "
            "sehen wir blaues Licht aus allen Richtungen."
        ),
    ),
    (
        "Donne trois conseils pour rester en bonne santé.",
        (
            "Mangez des fruits et des légumes, faites de l'exercice chaque jour et dormez suffisamment pour "
            "garder votre énergie."
        ),
    ),
    (
        "Scrivi una breve descrizione di Roma.",
        (
            "Roma è una città antica piena di monumenti, piazze e fontane, dove la storia si incontra con "
            "la vita di ogni giorno."
        ),
    ),
    (
        "Quais são os benefícios da leitura?",
        (
            "A leitura melhora a concentração, aumenta o vocabulário e ajuda a reduzir o estresse depois de "
            "um dia de trabalho."
        ),
    ),
    (
        "Объясни, как работает магнит.",
        "Магнит создаёт вокруг себя поле, которое притягивает железо и другие металлы.",
    ),
    (
        "请介绍一下长城。",
        "长城是中国古代的军事防御工程，全长超过两万公里，是世界上最著名的建筑之一，每年吸引很多游客。",
    ),
    (
        "健康のためのアドバイスを三つ教えてください。",
        "野菜をたくさん食べ、毎日少し運動をして、夜は早く寝ることが大切です。",
    ),
    (
        "Geef drie redenen om te fietsen.",
        "Fietsen is gezond, goedkoop en goed voor het milieu, en in de stad ben je vaak sneller dan met de auto.",
    ),
    (
        "Opisz krótko Kraków.",
        "Kraków to jedno z najstarszych miast w Polsce, znane z zamku na Wawelu, rynku i wielu kościołów.",
    ),
)
"""Instruction and response: Spanish, German, French, Italian, Portuguese, Russian, Chinese, Japanese, Dutch, Polish."""


def decoded_wrongly(host: Host) -> InstructionRecord | None:
    """The answer was written in UTF-8 and read as Windows-1252: "donâ€™t"."""
    typed = _PLAIN_QUOTE.sub("\u201c\\1\u201d", _PLAIN_APOSTROPHE.sub("\u2019", host.record.response))
    read = "".join(_as_windows(byte) for byte in typed.encode())
    return answering(host, read) if read != typed else None


def _as_windows(byte: int) -> str:
    """Return the letter that Windows-1252 has for a byte; five bytes have none, and pass as they are."""
    return bytes([byte]).decode("cp1252", errors="ignore") or chr(byte)


def letters_lost(host: Host) -> InstructionRecord | None:
    """Quotation marks and accented letters became U+FFFD."""
    lost = _LOST.sub("\ufffd", host.record.response)
    return answering(host, lost) if lost != host.record.response else None


def control_characters(host: Host) -> InstructionRecord | None:
    """Control characters stand between the words."""
    words = host.record.response.split(" ")
    if len(words) < 2:  # noqa: PLR2004  # nothing to stand between
        return None
    at = host.rng.randrange(1, len(words))
    return answering(host, f"{' '.join(words[:at])}{host.rng.choice(CONTROLS)} {' '.join(words[at:])}")


def only_signs(host: Host) -> InstructionRecord:
    """The answer is a row of signs."""
    return answering(host, "".join(host.rng.choice(SIGNS) for _ in range(host.rng.randint(30, 200))).strip())


def foreign_pair(host: Host) -> InstructionRecord:
    """Instruction and answer are in another language."""
    instruction, response = host.rng.choice(FOREIGN)
    return replace(host.record, instruction=instruction, context="", response=response)


def foreign_answer(host: Host) -> InstructionRecord:
    """The answer is in another language than the question."""
    return answering(host, host.rng.choice(FOREIGN)[1])
