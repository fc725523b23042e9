-- Do people who rate answers, or rate them well, subscribe more?
--
-- There is nothing to see, as it stands or among people of one role who were there on as many days (planted: no
-- link at all between ratings and subscriptions). Intervals are wide, as few people subscribe in four weeks: they
-- exclude a large effect and no small one. Who had subscribed before the outcome window began is not asked about:
-- they would count as persuaded by ratings they gave as subscribers. Goods bought are the negative control, as
-- ratings cannot sell them. Causal it would become by asking people drawn by lot to rate; that ratings go with
-- subscriptions would not be enough.
{{ answers_to(['rating_subscription', 'good_rating_subscription']) }}
