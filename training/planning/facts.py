"""What a run record says of the data and the base, known as soon as a run is planned."""

from schemas.mirror import address_of
from training.checkpoint.adapters import stood
from training.checkpoint.checkpoint import BaseRecord, DataRecord
from training.model.load import digest_base
from training.planning.plan import Plan


def base_record(plan: Plan, parameters: int) -> BaseRecord:
    """Return which model a run started from, of so many parameters with its room for the keys."""
    return BaseRecord(
        name=plan.base.place.name,
        sha256=digest_base(plan.base).sha256,
        licence=plan.base.place.licence,
        parameters=parameters,
        path=stood(plan.base),
    )


def data_record(plan: Plan) -> DataRecord:
    """Return which records a run is given, and what becomes of them."""
    return DataRecord(
        path=address_of(plan.data.path),
        stage=plan.data.stage,
        fingerprint=plan.data.fingerprint,
        manifest_sha256=plan.data.manifest_sha256,
        gate=plan.data.gate,
        allowed_ungated=plan.request.allow_ungated and plan.data.gate.state != "passed",
        title=plan.data.release.title if plan.data.release else "",
        version=plan.data.release.version if plan.data.release else "",
        digest=plan.data.release.digest if plan.data.release else "",
        licence=plan.data.release.license if plan.data.release else "",
        terms=plan.data.release.terms if plan.data.release else "open",
        files=plan.data.files,
        rows=len(plan.data.records),
        trained=len(plan.examples),
        held_out=tuple(one.id for one in plan.held_out),
        rejected=len(plan.refused),
        rejected_token_share=round(plan.refused_share, 4),
    )
