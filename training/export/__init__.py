"""A checkpoint in the formats of other programs: GGUF for llama.cpp and Ollama, safetensors in another precision."""
