{{ gold_rows() }}
