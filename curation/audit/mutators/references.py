"""What the task is about is not there: a text that was lost, a link, an attachment, a picture."""

import re
from dataclasses import replace
from random import Random

from curation.audit.host import Host, answering, asking, lowered
from schemas.record import InstructionRecord

_POINTS = re.compile(
    r"\b(?:the (?:following|given|provided|above) \w+|(?:this|these) (?:article|passage|text|paragraph|sentence|poem|"
    r"story|email|review|list|table|code)s?|(?:passage|text|paragraph) (?:below|above))\b",
    re.IGNORECASE,
)
"""A rule of its own, coarser than the check's: a mutator that asked the check would test nothing."""
_SLUG = re.compile(r"[a-z]{4,}")
A_TEXT = 12
"""Words from which on a context is a text that could stand behind a link."""
LEADS = (
    "Based on the following passage, {asked}",
    "Given the following text, {asked}",
    "Using the provided paragraph, {asked}",
)
SITES = ("www.nytimes.com", "www.bbc.com/news", "en.wikipedia.org/wiki", "medium.com/@editor", "www.theguardian.com")
LINKED = (
    "Summarize the article at {url}.",
    "Read {url} and list its main points.",
    "Visit this link and tell me what it says: {url}",
    "What is the main argument of this blog post? {url}",
)
ATTACHED = (
    "Summarize the attached document.",
    "Read the attached file and answer: {asked}",
    "Using the data in the attached spreadsheet, {asked}",
    "Look at the file I uploaded and explain it.",
)
SUBJECTS = (
    "a sunset over the ocean", "a dog chasing a ball", "the solar system", "a busy street market", "a red bicycle",
    "a castle on a hill", "a family having dinner", "the water cycle", "a robot reading a book", "a lighthouse",
)  # fmt: skip
MAKES = (
    "Draw a picture of {it}.", "Create an image of {it}.", "Sketch {it}.", "Generate a photo of {it}.",
    "Make a short video that shows {it}.", "Paint a landscape with {it}.", "Design a logo that shows {it}.",
    "Record an audio clip that describes {it}.",
)  # fmt: skip
PICTURED = (
    "![{it}](https://i.imgur.com/{code}.jpg)",
    '<img src="{code}.png" alt="{it}">',
    "Here is {it}.",
    "[Image of {it}]",
)
SEES = (
    ("Describe what is happening in the given image.", "The image shows {it} under a clear sky."),
    ("Write a caption for this picture.", "A quiet moment: {it}."),
    ("What colors are used in the following painting?", "The painting of {it} is mostly in shades of blue and orange."),
    ("Identify the main subject of the photo.", "The main subject of the photo is {it}."),
    ("Transcribe the audio clip.", "Welcome back to the show, today we are talking about {it}."),
)
ACTS = (
    ("Set an alarm for {hour} am tomorrow.", "Your alarm has been set for {hour} am tomorrow."),
    ("Send an email to {name} to say that I am late.", "I have sent the email to {name}."),
    ("Book a table for two at {hour} pm.", "I've booked a table for two at {hour} pm."),
    ("Remind me to call {name} at {hour} pm.", "OK, I have set a reminder to call {name} at {hour} pm."),
    ("Call {name}.", "Calling {name} now..."),
    ("Play some relaxing music for {hour} minutes.", "Playing relaxing music for {hour} minutes..."),
    ("Order {hour} pizzas for {name}.", "Done! {hour} pizzas for {name} have been ordered."),
    ("Save this conversation with {name} to a file.", "The conversation with {name} has been saved to a file."),
)
STUBS = ("[image]", "image.jpg", "IMG_{code}.png", "(attached image)", "photo.png", "<image>")


def context_lost(host: Host) -> InstructionRecord | None:
    """The instruction points at a text, and the context that held it is gone."""
    record = host.record
    if not record.context.strip():
        return None
    if _POINTS.search(record.instruction):
        return asking(host, record.instruction, "")
    return asking(host, host.rng.choice(LEADS).format(asked=lowered(record.instruction.strip())), "")


def link_for_context(host: Host) -> InstructionRecord | None:
    """In place of the text there is only its address."""
    if len(host.record.context.split()) < A_TEXT:
        return None
    return asking(host, host.record.instruction, _url(host))


def link_to_read(host: Host) -> InstructionRecord:
    """The instruction asks about a page of which it gives the address, and the answer is made up."""
    return asking(host, host.rng.choice(LINKED).format(url=_url(host)), "")


def attachment_missing(host: Host) -> InstructionRecord:
    """The instruction speaks of a file that was attached elsewhere."""
    asked = lowered(host.record.instruction.strip())
    return asking(host, host.rng.choice(ATTACHED).format(asked=asked), "")


def picture_to_make(host: Host) -> InstructionRecord:
    """The task is to make a picture or a sound, and the answer pretends to."""
    it, rng = host.rng.choice(SUBJECTS), host.rng
    made = answering(host, rng.choice(PICTURED).format(it=it, code=_code(rng)))
    return asking(replace(host, record=made), rng.choice(MAKES).format(it=it), "")


def picture_to_see(host: Host) -> InstructionRecord:
    """The task is to look at a picture of which only the name is there."""
    rng, it = host.rng, host.rng.choice(SUBJECTS)
    asked, said = rng.choice(SEES)
    record = answering(host, said.format(it=it))
    return asking(replace(host, record=record), asked, rng.choice(STUBS).format(it=it, code=_code(rng)))


def act_claimed(host: Host) -> InstructionRecord:
    """The task is an act in the world, and the answer claims that it was done."""
    asked, said = host.rng.choice(ACTS)
    hour, name = (
        host.rng.randint(1, 12),
        host.rng.choice(("Anna", "my sister", "the dentist", "Mr. Lee", "my landlord")),
    )
    record = answering(host, said.format(hour=hour, name=name))
    return asking(replace(host, record=record), asked.format(hour=hour, name=name), "")


def _url(host: Host) -> str:
    words = _SLUG.findall(host.record.instruction.lower()) or ["article"]
    return f"https://{host.rng.choice(SITES)}/{'-'.join(words[:4])}"


def _code(rng: Random) -> str:
    return str(rng.randint(1000, 9999))
