using System.Collections.Frozen;

namespace Omium.Kernel.Schemas;

/// <summary>A named set of characters, as items of a class of the engine, with the items that are left.</summary>
internal sealed record EcmaSet(string Items, string Complement, bool IsNegated)
{
    public const string AnyItems = @"\u0000-\uffff";

    /// <summary>ECMA-262 writes categories short, long or as General_Category=...; the engine knows the short ones.</summary>
    private static readonly FrozenDictionary<string, string> Categories = ReadCategories("""
        L Letter|Lu Uppercase_Letter|Ll Lowercase_Letter|Lt Titlecase_Letter|Lm Modifier_Letter|Lo Other_Letter
        M Mark Combining_Mark|Mn Nonspacing_Mark|Mc Spacing_Mark|Me Enclosing_Mark
        N Number|Nd Decimal_Number digit|Nl Letter_Number|No Other_Number
        P Punctuation punct|Pc Connector_Punctuation|Pd Dash_Punctuation|Ps Open_Punctuation|Pe Close_Punctuation
        Pi Initial_Punctuation|Pf Final_Punctuation|Po Other_Punctuation
        S Symbol|Sm Math_Symbol|Sc Currency_Symbol|Sk Modifier_Symbol|So Other_Symbol
        Z Separator|Zs Space_Separator|Zl Line_Separator|Zp Paragraph_Separator
        C Other|Cc Control cntrl|Cf Format|Cs Surrogate|Co Private_Use|Cn Unassigned
        """);

    /// <summary>The set behind \d, \w, \s (upper case: negated), ECMA-262 22.2.2.9.</summary>
    public static EcmaSet? OfLetter(char letter) => char.ToLowerInvariant(letter) switch
    {
        'd' => new EcmaSet("0-9", @"\u0000-/:-\uffff", char.IsUpper(letter)),
        'w' => new EcmaSet("A-Za-z0-9_", @"\u0000-/:-@\u005b-\u005e`\u007b-\uffff", char.IsUpper(letter)),
        's' => new EcmaSet(
            @"\t-\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff",
            @"\u0000-\u0008\u000e-\u001f!-\u009f\u00a1-\u167f\u1681-\u1fff\u200b-\u2027\u202a-\u202e\u2030-\u205e\u2060-\u2fff\u3001-\ufefe\uff00-\uffff",
            char.IsUpper(letter)),
        _ => null,
    };

    /// <summary>The set behind \p{name}; null when it is not known.</summary>
    public static EcmaSet? OfProperty(string name, bool isNegated)
    {
        switch (name)
        {
            case "Any": return new EcmaSet(AnyItems, "", isNegated);
            case "ASCII": return new EcmaSet(@"\u0000-\u007f", @"\u0080-\uffff", isNegated);
        }

        var separatorAt = name.IndexOf('=', StringComparison.Ordinal);
        if (separatorAt >= 0 && name[..separatorAt] is not ("gc" or "General_Category"))
        {
            return null;
        }

        return Categories.TryGetValue(name[(separatorAt + 1)..], out var category)
            ? new EcmaSet($@"\p{{{category}}}", $@"\P{{{category}}}", isNegated)
            : null;
    }

    private static FrozenDictionary<string, string> ReadCategories(string table)
    {
        var categories = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var row in table.Split(['|', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var names = row.Split(' ');
            foreach (var name in names)
            {
                categories.Add(name, names[0]);
            }
        }

        return categories.ToFrozenDictionary(StringComparer.Ordinal);
    }
}
