local id, owner, ended, keep, result = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5]
local found = state(id)
if not found or not owned(id, owner) then
  return 0
end
if found ~= RUNNING then
  -- The same owner says the same again: its first word arrived, the answer to it did not.
  return found == ended and 1 or 0
end
local time = now()
local key = record_key(id)
call('HDEL', key, 'leased_till')
call('HSET', key, 'state', ended, 'finished_at', text(time), 'expires_at', text(time + keep),
  'result', result)
count(id, call('HSTRLEN', key, 'request') + #result)
expire(id, time + keep)
return 1
