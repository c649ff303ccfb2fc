"""What happened, as people and programs read it: terminal, HTML, formats of CI."""
