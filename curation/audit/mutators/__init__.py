"""One file a family of defects: pure functions of a host, each of which plants one defect or finds no place for it."""
