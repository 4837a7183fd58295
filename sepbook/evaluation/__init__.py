"""How good is it: separating whole songs, scoring them, and what an ideal mask could reach."""
