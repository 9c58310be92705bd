local id, owner, span, max_attempts = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local key = record_key(id)
local found = state(id)
if not found then
  return { 'missing', {} }
end
if found ~= RUNNING then
  return { 'finished', call('HGETALL', key) }
end
local time = now()
local till = field(id, 'leased_till')
if till and tonumber(till) > time then
  return { 'held', {} }
end
call('HSET', key, 'owner', owner, 'leased_till', text(time + span))
if tonumber(field(id, 'attempts')) >= max_attempts then
  return { 'exhausted', call('HGETALL', key) }
end
call('HINCRBY', key, 'attempts', 1)
return { 'taken', call('HGETALL', key) }
