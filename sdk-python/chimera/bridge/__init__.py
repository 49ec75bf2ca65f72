"""Names that temporalio keeps in its bridge. Chimera's own native module is `chimera._bridge`, which is private."""
