"""What a run will take, decided and checked before anything long begins."""
