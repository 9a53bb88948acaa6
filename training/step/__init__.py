"""The loop: optimiser steps over micro-batches, with one trial before the first."""
