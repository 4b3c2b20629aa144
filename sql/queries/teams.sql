-- Teams.

-- fragment: team_json
-- A team as clients get it, its members in the order in which they are rung; needs `teams t`.
json_build_object(
    'id', t.id, 'name', t.name, 'created_at', t.created_at,
    'members', coalesce((SELECT json_agg(json_build_object('id', u.id, 'name', u.name, 'is_manager', tm.is_manager) ORDER BY tm.position, u.name)
        FROM team_members tm JOIN users u ON u.id = tm.user_id
        WHERE tm.tenant_id = t.tenant_id AND tm.team_id = t.id), '[]'::json))

-- name: list_teams
-- A page of teams by name.
SELECT ({{team_json}})::text AS json, t.name_lc AS key, t.id
FROM teams t
WHERE t.tenant_id = :tenant_id
--? after_id AND (t.name_lc, t.id) > (:after_key, :after_id::uuid)
ORDER BY t.name_lc, t.id
LIMIT :limit

-- name: get_team
SELECT ({{team_json}})::text FROM teams t WHERE t.tenant_id = :tenant_id AND t.id = :id

-- name: insert_team
INSERT INTO teams (tenant_id, name) VALUES (:tenant_id, :name) RETURNING id

-- name: lock_team
-- The team, held so that its members change one list at a time.
SELECT id FROM teams WHERE tenant_id = :tenant_id AND id = :id FOR UPDATE

-- name: rename_team
UPDATE teams SET name = :name WHERE tenant_id = :tenant_id AND id = :id

-- name: read_members
-- Who is in the team, in the order in which they are rung, and who manages it.
SELECT user_id, is_manager FROM team_members WHERE tenant_id = :tenant_id AND team_id = :id ORDER BY position, user_id

-- name: members_of
-- Who is in any of these teams.
SELECT DISTINCT user_id FROM team_members WHERE tenant_id = :tenant_id AND team_id = ANY (:teams::uuid[])

-- name: clear_members
DELETE FROM team_members WHERE tenant_id = :tenant_id AND team_id = :id

-- name: add_members
-- The members, in their order.
INSERT INTO team_members (tenant_id, team_id, user_id, position, is_manager)
SELECT :tenant_id, :id, x.user_id, x.place, x.user_id = ANY (:managers::uuid[])
FROM unnest(:members::uuid[]) WITH ORDINALITY AS x (user_id, place)

-- name: delete_team
-- No row when there is none; numbers that ring it keep it (numbers_of_team, number_routes_to_team).
DELETE FROM teams WHERE tenant_id = :tenant_id AND id = :id RETURNING id
