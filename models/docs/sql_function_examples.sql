select
    input,
    clean_text(input) as as_text,
    has_value(input) as holds_value,
    parse_decimal(input, '.') as as_decimal_point,
    parse_decimal(input, ',') as as_decimal_comma,
    net_amount(null, input, '.') as as_outflow,
    parse_integer(input) as as_integer,
    parse_boolean(input) as as_boolean,
    parse_date(input, '%d.%m.%Y') as as_day_first,
    parse_date(input, '%m/%d/%y') as as_month_first,
    parse_date(input, '%d. %B %Y') as as_month_name,
    parse_date(input, '%Y-%m-%dT%H:%M:%S%z') as as_local_day,
    parse_timestamp(input, '%Y-%m-%dT%H:%M:%S%z') as as_utc
from {{ ref('sql_function_inputs') }}
