local id, owner = ARGV[1], ARGV[2]
if state(id) ~= RUNNING or not owned(id, owner) then
  return 0
end
call('HDEL', record_key(id), 'owner', 'leased_till')
return 1
