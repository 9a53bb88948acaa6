"""Does curation buy anything? Arms that differ in their data alone, and one sentence that may be believed."""
