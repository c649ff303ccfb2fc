{{ quarantine_rows('contacts') }}
