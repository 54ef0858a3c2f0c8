using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Omium.Api.Access;
using Omium.Api.Audit;
using Omium.Api.Http;
using Omium.Api.Tenants;
using Omium.Runtime.Audit;
using Omium.Runtime.Ports;
using Omium.Runtime.Security;

namespace Omium.Api.Sessions;

/// <summary>
/// People who sign in with e-mail and password. Guarantees: whether an e-mail has an account shows in no answer and in no time of an answer; an account
/// belongs to whoever answered its mail, where mails are sent; passwords are stored as slow hashes only.
/// </summary>
internal sealed partial class AccountService(
    AuditedStore store, IDocumentStore documents, TenantDirectory tenants, Passwords passwords, PersonVault persons, InstallationKeys keys, Acts acts, AuditTrail trail,
    TimeProvider time, ILogger<AccountService> logger, IMailer? mailer = null)
{
    private const string UserKind = "user", AddressKind = "address", SignUpKind = "sign_up", TokenPrefix = "omv_";
    private const int IdDigits = 16, SecretDigits = 52;
    private static readonly TimeSpan MailFor = TimeSpan.FromHours(24);

    /// <summary>Whether an account counts only once its mail was answered.</summary>
    public bool SendsMail => mailer is not null;

    private long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Under what an e-mail in normal form is kept.</summary>
    public async ValueTask<string> AddressHashAsync(string email, CancellationToken cancellation) =>
        Convert.ToHexStringLower(HMACSHA256.HashData(await keys.GetAsync("address", cancellation), Encoding.UTF8.GetBytes(email)));

    /// <summary>Makes an account with a tenant of its own, or does nothing where the e-mail has one. False: too many ask at once.</summary>
    public async Task<bool> SignUpAsync(string email, string password, string? name, string? organization, Origin origin, CancellationToken cancellation)
    {
        if (await passwords.HashAsync(password, cancellation) is not { } hash)
        {
            return false;
        }

        if (mailer is null)
        {
            await CreateAsync(email, hash, name, organization ?? "Personal", origin, cancellation);
            return true;
        }

        var id = ExecutionIds.Random(IdDigits);
        var secret = ExecutionIds.Random(SecretDigits);
        var profile = JsonSerializer.SerializeToUtf8Bytes(new UserProfile(email, name), SessionJson.Default.UserProfile);
        var closed = Convert.ToBase64String(Seal.Close(await keys.GetAsync("sign_up", cancellation), profile, Encoding.UTF8.GetBytes(id)));
        var waiting = new StoredSignUp(id, SessionTokens.HashOf(secret), hash, closed, organization, NowMs + (long)MailFor.TotalMilliseconds);
        await documents.PutAsync(new DocumentKey("", SignUpKind, id), JsonSerializer.SerializeToUtf8Bytes(waiting, SessionJson.Default.StoredSignUp), "", cancellation);
        var isTaken = await FindByAddressAsync(await AddressHashAsync(email, cancellation), cancellation) is not null;
        await mailer.SendAsync(email, isTaken ? "You have an Omium account" : "Confirm your Omium account", MailText(isTaken, $"{TokenPrefix}{id}_{secret}"), cancellation);
        return true;
    }

    /// <summary>Sends an invitation's token to the address that it is for.</summary>
    public Task MailInvitationAsync(string email, string token, CancellationToken cancellation) => mailer!.SendAsync(
        email, "You are invited to Omium", $"Somebody invites you to work with them in Omium. Accept with this code:\n\n  {token}\n\nIt works once. If you expect no invitation, do nothing: without the code nothing happens.\n", cancellation);

    /// <summary>
    /// Completes a sign-up with the token of its mail and the password it was made with: whoever signs up with another's address cannot have them
    /// complete an account whose password they do not know. Null when either is wrong.
    /// </summary>
    public async Task<StoredUser?> VerifyAsync(string token, string password, Origin origin, CancellationToken cancellation)
    {
        var parts = token.Split('_');
        var isToken = parts.Length == 3 && parts[0] == "omv" && parts[1].Length == IdDigits && parts[2].Length == SecretDigits;
        var key = new DocumentKey("", SignUpKind, isToken ? parts[1] : new string('0', IdDigits));
        var waiting = await documents.GetAsync(key, cancellation) is { } stored ? JsonSerializer.Deserialize(stored.Content, SessionJson.Default.StoredSignUp) : null;
        var isOurs = waiting is not null && SessionTokens.AreEqual(SessionTokens.HashOf(parts[2]), waiting.SecretSha256) && waiting.ExpiresMs > NowMs;
        var check = await passwords.CheckAsync(isOurs ? waiting!.PasswordHash : null, password, cancellation);
        if (!isOurs || check is not { IsRight: true })
        {
            return null;
        }

        var plain = Seal.Open(await keys.GetAsync("sign_up", cancellation), Convert.FromBase64String(waiting!.Sealed), Encoding.UTF8.GetBytes(waiting.Id));
        var profile = JsonSerializer.Deserialize(plain, SessionJson.Default.UserProfile)!;
        var user = await CreateAsync(profile.Email, waiting.PasswordHash, profile.Name, waiting.Organization ?? "Personal", origin, cancellation);
        await documents.DeleteAsync(key, null, cancellation);
        return user;
    }

    /// <summary>The account of an e-mail and its password; null when either is wrong. A failure stands in the audit trail of the account's tenants soon after.</summary>
    public async Task<(StoredUser? User, bool IsBusy)> SignInAsync(string email, string password, Origin origin, CancellationToken cancellation)
    {
        var user = await FindByAddressAsync(await AddressHashAsync(email, cancellation), cancellation) ?? await MissingAsync(cancellation);
        if (await passwords.CheckAsync(user?.PasswordHash, password, cancellation) is not var (isRight, isOld))
        {
            return (null, true);
        }

        if (user is null || !isRight || user.Status != StoredUser.Active)
        {
            if (user is not null)
            {
                _ = Task.Run(() => NoteFailureAsync(user, origin), CancellationToken.None); // Beside the answer, whose time must not tell that there is an account.
            }

            return (null, false);
        }

        if (isOld && await passwords.HashAsync(password, cancellation) is { } renewed)
        {
            await ChangePasswordHashAsync(user, user with { PasswordHash = renewed }, "password.rehashed", user.Tenants.Count > 0 ? user.Tenants[0] : "", origin, cancellation);
        }

        return (user, false);
    }

    /// <summary>Gives an account another password: every session of it ends. False when the present one is wrong.</summary>
    public async Task<bool> ChangePasswordAsync(string id, string tenant, string present, string next, Origin origin, CancellationToken cancellation)
    {
        var user = await FindAsync(id, cancellation);
        if (await passwords.CheckAsync(user?.PasswordHash, present, cancellation) is not { IsRight: true } || await passwords.HashAsync(next, cancellation) is not { } hash)
        {
            return false;
        }

        return await ChangePasswordHashAsync(user!, user! with { PasswordHash = hash, Stamp = ExecutionIds.Random(IdDigits) }, "password.changed", tenant, origin, cancellation);
    }

    /// <summary>Makes an account without a tenant (its holder was invited to one); null when the e-mail has one.</summary>
    public async Task<StoredUser?> CreateInvitedAsync(string email, string password, string? name, string invitation, CancellationToken cancellation) =>
        await passwords.HashAsync(password, cancellation) is { } hash && await ClaimAsync(email, cancellation) is { } id
            ? await WriteAsync(id, email, hash, name, [], [invitation], cancellation)
            : null;

    /// <summary>
    /// The user of an identity that an issuer vouches for; one that comes for the first time joins the tenant. An account with the same e-mail is another
    /// person as far as this knows: an issuer speaks for its subjects, not for addresses.
    /// </summary>
    public async Task<StoredUser?> ByIdentityAsync(string identity, string? email, string? name, string tenant, Func<string, Task> join, CancellationToken cancellation)
    {
        var key = new DocumentKey("", "identity", SessionTokens.HashOf(identity));
        var id = $"usr_{ExecutionIds.Random(IdDigits)}";
        if (await documents.PutAsync(key, JsonSerializer.SerializeToUtf8Bytes(new StoredAddress(id), SessionJson.Default.StoredAddress), "", cancellation) is null)
        {
            id = JsonSerializer.Deserialize((await documents.GetAsync(key, cancellation))!.Content, SessionJson.Default.StoredAddress)!.User;
        }

        if (await FindAsync(id, cancellation) is { } known)
        {
            return known;
        }

        await join(id); // Before the user: who dies in between is finished by the next sign-in, which finds no user yet; who was removed later is known and stays out.
        var profile = JsonSerializer.SerializeToUtf8Bytes(new UserProfile(email ?? "", name is { Length: > 100 } ? name[..100] : name), SessionJson.Default.UserProfile);
        var closed = Convert.ToBase64String(await persons.SealAsync("", id, profile, $"user/{id}", cancellation));
        var user = new StoredUser(id, StoredUser.Active, null, ExecutionIds.Random(IdDigits), closed, null, [tenant], [], NowMs);
        var written = await documents.PutAsync(UserKey(id), JsonSerializer.SerializeToUtf8Bytes(user, SessionJson.Default.StoredUser), "", cancellation);
        return written is null ? await FindAsync(id, cancellation) : user;
    }

    /// <summary>Remembers where to look for a member's roster, and under which other name data about them is sealed.</summary>
    public async Task NoteTenantAsync(string user, string tenant, string? person, CancellationToken cancellation)
    {
        while (await documents.GetAsync(UserKey(user), cancellation) is { } stored)
        {
            var known = JsonSerializer.Deserialize(stored.Content, SessionJson.Default.StoredUser)!;
            var next = known with { Tenants = [.. known.Tenants.Append(tenant).Distinct()], Persons = [.. known.Persons.Concat(person is null ? [] : [person]).Distinct()] };
            if (await documents.PutAsync(UserKey(user), JsonSerializer.SerializeToUtf8Bytes(next, SessionJson.Default.StoredUser), stored.ETag, cancellation) is not null)
            {
                return;
            }
        }
    }

    /// <summary>Forgets that somebody belonged to a tenant; whoever belongs to none any more is erased: e-mail, name and password are gone for good.</summary>
    public async Task LeaveAsync(string id, string tenant, CancellationToken cancellation)
    {
        while (await documents.GetAsync(UserKey(id), cancellation) is { } stored)
        {
            var known = JsonSerializer.Deserialize(stored.Content, SessionJson.Default.StoredUser)!;
            var rest = known.Tenants.Where(other => other != tenant).ToArray();
            var next = rest.Length > 0
                ? known with { Tenants = rest }
                : known with { Tenants = [], Persons = [], Status = StoredUser.Erased, Profile = null, PasswordHash = null, AddressHash = null };
            if (await documents.PutAsync(UserKey(id), JsonSerializer.SerializeToUtf8Bytes(next, SessionJson.Default.StoredUser), stored.ETag, cancellation) is null)
            {
                continue;
            }

            if (next.Status == StoredUser.Erased)
            {
                await persons.DestroyAsync("", id, cancellation);
                if (known.AddressHash is { } address)
                {
                    await documents.DeleteAsync(new DocumentKey("", AddressKind, address), null, cancellation);
                }
            }

            return;
        }
    }

    /// <summary>A user; null when there is none.</summary>
    public async ValueTask<StoredUser?> FindAsync(string id, CancellationToken cancellation) =>
        (await store.ReadAsync(UserKey(id), SessionJson.Default.StoredUser, cancellation)).Value;

    /// <summary>E-mail and name of a user; null once erased.</summary>
    public async ValueTask<UserProfile?> ProfileAsync(StoredUser user, CancellationToken cancellation) =>
        user.Profile is { } closed && await persons.OpenAsync("", user.Id, Convert.FromBase64String(closed), $"user/{user.Id}", cancellation) is { } plain
            ? JsonSerializer.Deserialize(plain, SessionJson.Default.UserProfile)
            : null;

    /// <summary>
    /// Makes a user with a tenant of their own; null when the e-mail is taken. The tenant is named after the user and comes before them: a maker who
    /// dies in between leaves nothing that counts, and the next one with this e-mail finishes it.
    /// </summary>
    private async Task<StoredUser?> CreateAsync(string email, string passwordHash, string? name, string organization, Origin origin, CancellationToken cancellation)
    {
        if (await ClaimAsync(email, cancellation) is not { } id)
        {
            return null;
        }

        var tenant = $"ten_{id[4..]}";
        await tenants.CreateAsync(tenant, organization, id, origin, cancellation);
        return await WriteAsync(id, email, passwordHash, name, [tenant], [], cancellation);
    }

    /// <summary>The user id that an e-mail belongs to from now on; null when there is that user already. Create-only: of two who ask at once, both get one id.</summary>
    private async Task<string?> ClaimAsync(string email, CancellationToken cancellation)
    {
        var key = new DocumentKey("", AddressKind, await AddressHashAsync(email, cancellation));
        var id = $"usr_{ExecutionIds.Random(IdDigits)}";
        if (await documents.PutAsync(key, JsonSerializer.SerializeToUtf8Bytes(new StoredAddress(id), SessionJson.Default.StoredAddress), "", cancellation) is null)
        {
            id = JsonSerializer.Deserialize((await documents.GetAsync(key, cancellation))!.Content, SessionJson.Default.StoredAddress)!.User;
        }

        return await FindAsync(id, cancellation) is null ? id : null;
    }

    /// <summary>Writes a user; null when somebody with the same e-mail was first.</summary>
    private async Task<StoredUser?> WriteAsync(
        string id, string email, string passwordHash, string? name, IReadOnlyList<string> inTenants, IReadOnlyList<string> personNames, CancellationToken cancellation)
    {
        var profile = JsonSerializer.SerializeToUtf8Bytes(new UserProfile(email, name), SessionJson.Default.UserProfile);
        var closed = Convert.ToBase64String(await persons.SealAsync("", id, profile, $"user/{id}", cancellation));
        var address = await AddressHashAsync(email, cancellation);
        var user = new StoredUser(id, StoredUser.Active, passwordHash, ExecutionIds.Random(IdDigits), closed, address, inTenants, personNames, NowMs);
        var written = await documents.PutAsync(UserKey(id), JsonSerializer.SerializeToUtf8Bytes(user, SessionJson.Default.StoredUser), "", cancellation);
        return written is null ? null : user;
    }

    private async ValueTask<StoredUser?> FindByAddressAsync(string address, CancellationToken cancellation) =>
        await documents.GetAsync(new DocumentKey("", AddressKind, address), cancellation) is { } stored
            ? await FindAsync(JsonSerializer.Deserialize(stored.Content, SessionJson.Default.StoredAddress)!.User, cancellation)
            : null;

    /// <summary>The read that a known e-mail would cost.</summary>
    private async ValueTask<StoredUser?> MissingAsync(CancellationToken cancellation) => await FindAsync("usr_none", cancellation);

    private async Task<bool> ChangePasswordHashAsync(StoredUser from, StoredUser to, string action, string tenant, Origin origin, CancellationToken cancellation)
    {
        var entry = await acts.MakeAsync(tenant, action, from.Id, from.Id, null, origin, null, cancellation);
        return await store.ChangeAsync(
            tenant, UserKey(from.Id), SessionJson.Default.StoredUser,
            known => known?.PasswordHash == from.PasswordHash ? (known! with { PasswordHash = to.PasswordHash, Stamp = to.Stamp }, entry) : null, cancellation) is not null;
    }

    /// <summary>Removes sign-ups that nobody completed in time.</summary>
    public async Task SweepAsync(CancellationToken cancellation)
    {
        const int PageSize = 500;
        foreach (var stored in await documents.ListAsync("", SignUpKind, "", null, PageSize, cancellation))
        {
            if (JsonSerializer.Deserialize(stored.Content, SessionJson.Default.StoredSignUp)!.ExpiresMs < NowMs)
            {
                await documents.DeleteAsync(stored.Key, stored.ETag, cancellation);
            }
        }
    }

    private async Task NoteFailureAsync(StoredUser user, Origin origin)
    {
        try
        {
            foreach (var tenant in user.Tenants)
            {
                await trail.AppendAsync(tenant, await acts.MakeAsync(tenant, "session.sign_in_failed", user.Id, user.Id, null, origin));
            }
        }
        catch (Exception error) when (error is StorageException or ObjectDisposedException or TimeoutException)
        {
            LogFailureNotNoted(logger, user.Id, error);
        }
    }

    private static string MailText(bool isTaken, string token) => isTaken
        ? "Somebody, perhaps you, signed up for Omium with this address, which has an account already.\nSign in with it; if it was not you, nothing has changed and nothing is to be done.\n"
        : $"Confirm your Omium account with this code and the password that you chose:\n\n  {token}\n\nIt is good for 24 hours. If you did not sign up, do nothing: there is no account without it.\n";

    private static DocumentKey UserKey(string id) => new("", UserKind, id);

    [LoggerMessage(3102, LogLevel.Warning, "A failed sign-in of {User} was not noted")]
    private static partial void LogFailureNotNoted(ILogger logger, string user, Exception error);
}
