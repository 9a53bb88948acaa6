"""What generators leave in a text: end marks, the next task of the same answer, templates, control tokens, thoughts."""

from curation.audit.host import Host, answering
from schemas.record import InstructionRecord

END_MARKS = ("</s>", "<|im_end|>", "<|endoftext|>", "<|eot_id|>", "\n\n### End", "\n###", "\n// end of output //")
USERS = (
    "\n\n### Instruction:\n",
    "\n<|im_end|>\n<|im_start|>user\n",
    "\n<|user|>\n",
    " [INST] ",
    "<start_of_turn>user\n",
)
HEADS = ("### Response:\n", "<|assistant|>\n", "[/INST] ", "<|im_start|>assistant\n")
THOUGHTS = (
    "<think>\nOkay, the user asks: {asked} Let me work this out.\n</think>\n\n",
    "<think>\n\n</think>\n\n",
    '<think>\nWe need to answer "{asked}". The answer should be short and correct.\n</think>\n',
)


def end_mark_left(host: Host) -> InstructionRecord:
    """The answer ends with the generator's end mark."""
    return answering(host, host.record.response.rstrip() + host.rng.choice(END_MARKS))


def next_task_merged(host: Host) -> InstructionRecord | None:
    """The answer runs on into the next numbered task of the same generation."""
    if host.other == host.record:
        return None
    number, other = host.rng.randint(2, 20), host.other
    given = host.rng.choice((f"\n{number}. Input:\n{other.context or '<noinput>'}", ""))
    task = f"{number}. Instruction: {other.instruction}{given}\n{number}. Output:\n{other.response}"
    return answering(host, f"{host.record.response.rstrip()}\n\n{task}")


def next_turn_leaked(host: Host) -> InstructionRecord | None:
    """The answer runs on into the next turn of a chat, template and all."""
    if host.other == host.record:
        return None
    return answering(host, f"{host.record.response.rstrip()}{host.rng.choice(USERS)}{host.other.instruction}")


def template_leaked(host: Host) -> InstructionRecord:
    """The answer begins with a line of the prompt template."""
    return answering(host, host.rng.choice(HEADS) + host.record.response)


def thoughts_leaked(host: Host) -> InstructionRecord:
    """The answer begins with a model's thoughts, tags and all."""
    asked = host.record.instruction.strip()
    return answering(host, host.rng.choice(THOUGHTS).format(asked=asked) + host.record.response)
