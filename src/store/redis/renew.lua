local id, owner, span = ARGV[1], ARGV[2], tonumber(ARGV[3])
if state(id) ~= RUNNING or not owned(id, owner) then
  return 0
end
call('HSET', record_key(id), 'leased_till', text(now() + span))
return 1
