-- The reference tables of scoring as cells, so that Python reads one relation whatever their columns are.
{%- set tables = {
    'creator_kpis': ['kpi', 'position', 'title', 'tier', 'weight', 'is_revenue', 'meaning'],
    'creator_components': [
        'kpi', 'component', 'position', 'title', 'weight', 'transform', 'fields', 'low', 'high', 'target_field',
        'ideal_mix', 'sample_field', 'half_sample',
    ],
    'creator_inputs': [
        'field', 'position', 'title', 'role', 'origin', 'kind', 'min_value', 'max_value', 'default_value', 'definition',
    ],
    'creator_rules': [
        'kpi', 'component', 'measure', 'direction', 'issue_threshold', 'severe_threshold', 'action',
    ],
    'creator_recommendations': [
        'action', 'title', 'base_gain', 'effort_hours', 'test_days', 'primary_metric', 'metric_direction',
        'mde_relative', 'metric_spread', 'metric_variation', 'unit', 'unit_field', 'value_field', 'evidence_grade',
        'what_to_do',
    ],
    'creator_evidence_grades': ['evidence_grade', 'grade_rank', 'confidence', 'meaning'],
    'creator_levels': ['level', 'level_rank', 'min_score', 'meaning'],
    'creator_size_bands': ['size_band', 'band_rank', 'min_follower_count', 'below_follower_count'],
    'creator_settings': ['setting', 'setting_value', 'meaning'],
} %}
{%- set pairs = ['creator_components', 'creator_rules'] %}
with

listed as (

    {%- for table, columns in tables.items() %}
    {%- set key = columns[0] ~ (" || ' ' || " ~ columns[1] if table in pairs else '') %}
    {%- for column in columns + ['valid_from_date', 'valid_to_date'] %}
    select
        '{{ table }}' as table_name,
        {{ key }} || ' ' || cast(valid_from_date as string) as row_key,
        '{{ column }}' as column_name,
        cast({{ column }} as string) as cell
    from {{ ref(table) }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}

)

select
    table_name,
    row_key,
    column_name,
    cell
from listed
