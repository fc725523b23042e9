-- Do teachers chat deeper than students?
--
-- Teachers write a little more within four weeks because they are there on more days, not because they say more
-- when they are there: among people who were there on as many days the difference is gone (planted: chats of
-- teachers are as long as those of students, and teachers come back somewhat more often). Advertisements, which
-- nobody's role decides, show the same picture: more as it stands, no more on as many days. Being a teacher is not
-- a treatment anybody could assign, so no adjustment makes this an effect: it describes who they are. On a small
-- sample both rows lie within chance, or there are too few people who are alike.
{{ answers_to(['teacher_depth']) }}
