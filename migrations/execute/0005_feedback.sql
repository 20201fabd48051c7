-- How much learners are told of what came out: a copy of the question's own word, brought up to date by each submit and each look.
ALTER TABLE execute.question ADD COLUMN feedback text NOT NULL DEFAULT 'full';

-- Whether `viewer` is told no more than that it was received: not those who teach the question.
CREATE FUNCTION execute.is_muted(about uuid, viewer uuid, role text) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN role <> 'admin' AND EXISTS (
        SELECT FROM execute.question
        WHERE question.id = about AND feedback = 'none' AND NOT (role = 'teacher' AND viewer = ANY (question.teachers)));
