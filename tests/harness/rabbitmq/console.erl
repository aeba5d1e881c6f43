%% Runs inside the node: each line on standard input is an expression, answered by number on standard output.
%% At the end of the input nobody is left who wants this node.
Evaluate = fun(Line) ->
    {ok, Tokens, _} = erl_scan:string(Line),
    {ok, Expressions} = erl_parse:parse_exprs(Tokens),
    {value, Value, _} = erl_eval:exprs(Expressions, []),
    Value
end,
Serve = fun Serve(Number) ->
    case io:get_line("") of
        Line when is_list(Line) ->
            Answer = try {ok, Evaluate(Line)} catch _:Reason -> {error, Reason} end,
            {Kind, Value} = Answer,
            io:format("~nconsole ~b ~s ~0tp~n", [Number, Kind, Value]),
            Serve(Number + 1);
        _ ->
            erlang:halt(0, [{flush, false}])
    end
end,
spawn(fun() -> Serve(1) end).
