{{ quarantine_rows('bank_transactions') }}
