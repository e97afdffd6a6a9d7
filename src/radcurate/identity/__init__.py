"""What links pseudonyms to people, and who holds it: keys with their certificates, the honest broker, the crosswalk."""
