local id = ARGV[1]
local found = state(id)
if found == RUNNING then
  local key = record_key(id)
  call('HDEL', key, 'owner', 'leased_till')
  call('HSET', key, 'state', CANCELLED, 'finished_at', text(now()))
end
return found
