{% macro touched_event_days(count_column, fact_count, checksum_column, fingerprints='int_event_days_fingerprinted') %}
    {#- Days of a fact to rebuild: those where the fact stands for another number of events, or for other
        events, than are accepted now. None means all of them. The fact itself is the only state.
        count_column, checksum_column: columns of the fingerprints, which the model must read as well;
        fact_count: the same count as an aggregate over the fact. -#}
    {%- if not (execute and is_incremental()) -%}
        {{- return(none) -}}
    {%- endif -%}
    {%- set query -%}
        with
        built as (
            select
                event_date,
                cast({{ fact_count }} as bigint) as event_count,
                min(day_checksum) as lowest_checksum,
                max(day_checksum) as highest_checksum
            from {{ this }}
            group by event_date
        )
        select cast(days.event_date as string) as event_date
        from {{ ref(fingerprints) }} as days
        left join built on days.event_date = built.event_date
        where coalesce(built.event_count, 0) <> days.{{ count_column }}
            or (
                days.{{ count_column }} > 0
                and (
                    built.lowest_checksum is distinct from days.{{ checksum_column }}
                    or built.highest_checksum is distinct from days.{{ checksum_column }}
                )
            )
    {%- endset -%}
    {{- return(run_query(query).columns[0].values() | list) -}}
{% endmacro %}
