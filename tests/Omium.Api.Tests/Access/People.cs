using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Omium.Contracts;
using Omium.Contracts.Access;

namespace Omium.Api.Tests.Access;

/// <summary>Somebody with an account, and a client that carries their session.</summary>
internal sealed record Person(string Email, SignedInView Session, HttpClient Client) : IDisposable
{
    public const string Password = "correct horse battery staple";

    public void Dispose() => Client.Dispose();
}

/// <summary>Signs people up and in, as they would.</summary>
internal static class People
{
    /// <summary>Makes an account, which has a tenant of its own, and signs in.</summary>
    public static async Task<Person> SignUpAsync(ApiHost host, string email)
    {
        using var client = host.Anonymous();
        using var signedUp = await client.PostAsync("/v1/auth/signup", Body(new { email, password = Person.Password }));
        Assert.Equal(202, (int)signedUp.StatusCode);
        return await SignInAsync(host, email);
    }

    public static async Task<Person> SignInAsync(ApiHost host, string email, string password = Person.Password)
    {
        using var client = host.Anonymous();
        using var response = await client.PostAsync("/v1/auth/login", Body(new { email, password }));
        return As(host, email, await ApiHost.ReadAsync(response, ContractJson.Default.SignedInView, 200));
    }

    /// <summary>Invites somebody into the tenant of an administrator, who accepts.</summary>
    public static async Task<Person> JoinAsync(ApiHost host, Person admin, string email, string role, params string[] teams)
    {
        using var invited = await admin.Client.PostAsync("/v1/invitations", Body(new { email, role, teams }));
        var invitation = await ApiHost.ReadAsync(invited, ContractJson.Default.InvitationView, 201);
        using var client = host.Anonymous();
        using var accepted = await client.PostAsync("/v1/auth/accept", Body(new { token = invitation.Token, password = Person.Password }));
        return As(host, email, await ApiHost.ReadAsync(accepted, ContractJson.Default.SignedInView, 200));
    }

    public static JsonContent Body<T>(T value) => JsonContent.Create(value, options: Wire);

    private static readonly JsonSerializerOptions Wire = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    private static Person As(ApiHost host, string email, SignedInView session)
    {
        var client = host.Anonymous();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", session.AccessToken);
        return new Person(email, session, client);
    }
}
