local id, request = ARGV[1], ARGV[2]
if not state(id) then
  return 0
end
if request and field(id, 'request') ~= request then
  return 0
end
remove(id)
return 1
