"""What an LLM is asked, what it may see, how its answer is read, and what that cost."""
